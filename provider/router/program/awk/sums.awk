# `SUM  SLOT/ID` of what is there; `before`: those there were; `ids`: who says now what is right. To `to` goes `SUM SLOT/ID` of what should be there,
# then their count, and printed is what is not as it should be: `changed|gone|stranger|unknown SLOT ID`. To `aside`: `SLOT ID` of what is not to be
# used, `SLOT ID soft` of what is only where there is nothing better.
BEGIN {
  printf "" >to; printf "" >aside
  while ((getline line <ids) > 0) said[line] = 1
  while ((getline line <before) > 0) {
    n = split(line, word, " ")
    whole = (word[1] == "end" && word[2] == listed + 0)
    if (n == 2 && word[1] ~ /^([0-9a-f]+|-)$/) { listed++; sum[word[2]] = word[1] }
  }
  # Half a list says nothing of what it does not name, and what it names may be wrong.
  if (!whole) for (name in sum) delete sum[name]
}
function wrong(how) {
  print how, slot, id
  if (how != "unknown") print slot, id >aside
  else if (slot != "secrets") print slot, id, "soft" >aside
}
function keep(what, name) { print what, name >to; kept++ }
function parts(name) { slot = substr(name, 1, index(name, "/") - 1); id = substr(name, index(name, "/") + 1) }
NF == 2 {
  sub(/^\.\//, "", $2)
  parts($2)
  there[$2] = 1
  if (id in said) { keep($1, $2); next }
  if (!($2 in sum)) {
    if (whole) { wrong("stranger"); next }
    sum[$2] = "-"
  }
  keep(sum[$2], $2)
  if (sum[$2] == "-") wrong("unknown")
  else if (sum[$2] != $1) wrong("changed")
}
END {
  for (name in sum) {
    parts(name)
    if ((name in there) || (id in said)) continue
    keep(sum[name], name)
    wrong("gone")
  }
  print "end", kept + 0 >to
}
