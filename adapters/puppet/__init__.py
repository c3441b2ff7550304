"""The adapter for Puppet: ``puppet apply`` on the host that Holdfast runs on."""
