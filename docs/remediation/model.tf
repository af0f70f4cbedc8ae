resource "aws_sagemaker_model" "fraud" {
  execution_role_arn       = aws_iam_role.serving.arn
  enable_network_isolation = true

  primary_container {
    image          = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/fraud:1"
    model_data_url = "s3://models/fraud/model.tar.gz"
  }

  vpc_config {
    # In two Availability Zones.
    subnets            = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    security_group_ids = ["sg-0123456789abcdef0"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_sagemaker_endpoint_configuration" "fraud" {
  name_prefix = "fraud-"

  production_variants {
    variant_name           = "one"
    model_name             = aws_sagemaker_model.fraud.name
    instance_type          = "ml.m5.large"
    initial_instance_count = 1
  }

  lifecycle {
    create_before_destroy = true
  }
}
