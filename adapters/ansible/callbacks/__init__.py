"""What ansible-playbook loads of ours, inside its own process; nothing of Holdfast imports it."""
