class base (
  String $root,
  String $motd,
  Sensitive[String] $db_password,
) {
  file { "${root}/motd":
    ensure  => file,
    content => "${motd}\n",
    mode    => '0644',
  }
  file { "${root}/backup.cnf":
    ensure  => file,
    content => $db_password,
    mode    => '0600',
  }
}

include base
