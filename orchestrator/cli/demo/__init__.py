"""What `holdfast demo` brings along: a provider whose cloud is a folder."""
