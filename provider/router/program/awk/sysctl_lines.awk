# An assembled file: `ID KEY PATH OP VALUE` for each line. `memory/N` is so many as have N bytes of `meminfo` each, in round numbers.
function share(bytes,    line, w, kb, n) {
  while ((getline line <meminfo) > 0) if (line ~ /^MemTotal:/) { split(line, w, " "); kb = w[2] }
  close(meminfo)
  n = int(kb * 1024 / bytes / 8192) * 8192
  return n < least ? least : n > most ? most : n
}
/^# vpc6 / { id = $3; next }
/^#/ || !NF { next }
{
  at = index($0, "="); key = substr($0, 1, at - 1); value = substr($0, at + 1); op = "="
  if (sub(/>$/, "", key)) op = ">="
  gsub(/^[ \t]+|[ \t]+$/, "", key); gsub(/^[ \t]+|[ \t]+$/, "", value); gsub(/[ \t]+/, " ", value)
  if (op == ">=" && sub(/^memory\//, "", value)) value = share(value)
  path = key; if (path !~ /\//) gsub(/\./, "/", path)
  print id == "" ? "-" : id, key, path, op, value
}
