terraform {
  required_providers {
    lab = { source = "lab.test/lab/lab", version = "0.1.0" }
  }
}

variable "cloud" { type = string }
variable "cidr" { type = string }
variable "db_password" {
  type      = string
  sensitive = true
}

provider "lab" { root = var.cloud }

resource "lab_object" "network" {
  name   = "network"
  tags   = { cidr = var.cidr, owner = "ops" }
  secret = var.db_password
}

output "id" { value = lab_object.network.id }
output "cidr" { value = var.cidr }
output "db_password" {
  value     = var.db_password
  sensitive = true
}
