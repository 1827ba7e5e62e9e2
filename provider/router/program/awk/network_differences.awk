# The assembled file, and what is `live`: with `mode` drift lines `ID TEXT`, with extra the lines that are too many (see network_differences).
BEGIN {
  FS = "\t"
  while ((getline line <live) > 0) { split(line, part, "\t"); there[part[1]] = part[2]; list[++count] = part[1] }
  while ((getline line <found) > 0) before[line] = 1
  FS = " "
}
function tell(id, kind, what, line) { sub(/^onlink$/, "route", kind); sub(/^[a-z]+ /, "", line); print id, kind " " what ", " line }
/^# vpc6 / { id = $3; next }
/^#/ || !NF || $1 ~ /^(vlan|mtu)$/ { next }
$1 == "interface" { of[$2] = id; if ($3 != "keep-ra") tier[$2] = 1; next }
{ line = $0; sub(/ nodad$/, "", line) }
($1 == "route" && NF == 5) || $1 == "onlink" { line = line " metric " ($3 ~ /:/ ? 1024 : 0) }
{ want[line] = 1 }
mode == "drift" && !(line in there) { tell(id, $1, "removed", line) }
END {
  for (i = 1; i <= count; i++) {
    line = list[i]; split(line, w, " "); from = there[line]
    if (line in want || line in before) continue
    if (from == ours || (w[2] in tier && from == "static")) {
      if (mode == "extra") print line
      else tell(w[2] in of ? of[w[2]] : "-", w[1], "added", line)
    }
  }
}
