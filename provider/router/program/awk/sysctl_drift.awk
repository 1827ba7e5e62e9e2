# The assembled file, and the values below `sysctl`: lines `ID TEXT`.
/^# vpc6 / { id = $3; next }
/^#/ || !NF { next }
{
  at = index($0, "="); key = substr($0, 1, at - 1); value = substr($0, at + 1)
  gsub(/^[ \t]+|[ \t]+$/, "", key); gsub(/^[ \t]+|[ \t]+$/, "", value); gsub(/[ \t]+/, " ", value)
  path = key; if (path !~ /\//) gsub(/\./, "/", path)
  now = "not there"
  if ((getline now <(sysctl "/" path)) > 0) gsub(/[ \t]+/, " ", now)
  close(sysctl "/" path)
  if (now != value) print id, key " = " now " instead of " value
}
