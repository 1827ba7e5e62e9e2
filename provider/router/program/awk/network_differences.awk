# The assembled file, and what is `live`: with `mode` missing lines `ID TEXT`, with extra the lines themselves (see network_differences).
BEGIN {
  FS = "\t"
  while ((getline line <live) > 0) { split(line, part, "\t"); there[part[1]] = part[2]; list[++count] = part[1] }
  while ((getline line <found) > 0) before[line] = 1
  FS = " "
}
/^# vpc6 / { id = $3; next }
/^#/ || !NF { next }
$1 == "interface" { if ($3 != "keep-ra") tier[$2] = id; next }
{ line = $0; sub(/ nodad$/, "", line) }
$1 == "route" && NF == 5 { line = line " metric " ($3 ~ /:/ ? 1024 : 0) }
{ want[line] = 1 }
mode == "missing" && !(line in there) { kind = $1; sub(/^[a-z]+ /, "", line); print id, kind " removed, " line }
END {
  for (i = 1; mode == "extra" && i <= count; i++) {
    line = list[i]; split(line, w, " "); from = there[line]
    if (line in want || line in before) continue
    if (from == ours || (w[2] in tier && from == "static")) print line
  }
}
