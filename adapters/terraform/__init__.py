"""Terraform and OpenTofu: the same room, because they speak the same language to us."""
