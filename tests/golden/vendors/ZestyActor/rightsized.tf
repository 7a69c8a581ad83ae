# The right-sized policies of a role:
# arn:aws:iam::012345678901:role/ZestyActor
# Where Terraform has the policies already, take over the documents. Where it has them not, the commented
# import blocks (Terraform 1.5 or later) let it take over what is there. Read its plan before you apply it.
# The way back: the document as it was (.current.json) in the same resource. Without the resource Terraform deletes
# the policy, so do not take it out, nor revert the commit that added it.

# import {
#   to = aws_iam_role_policy.policy_1
#   id = "ZestyActor:actor"
# }
resource "aws_iam_role_policy" "policy_1" {
  name = "actor"
  role = "ZestyActor"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Act"
        Effect = "Allow"
        Action = [
          "ec2:CreateTags",
          "ec2:DescribeTags",
        ]
        Resource = "*"
      },
      {
        Sid    = "Next"
        Effect = "Allow"
        Action = [
          "sts:AssumeRole",
          "sts:SetSourceIdentity",
        ]
        Resource = "arn:aws:iam::*:role/ZestySpoke"
      },
    ]
  })
}
