# Who administers the server: `abra app cmd YOURAPPDOMAIN app superuser_password`.
superuser_password() {
  cat /run/secrets/superuser_password
}
