# Lines `ID OTHER`: prints `ID TO` for each that stands back. Exit status 1 where one of them cannot; printed last is why, behind a `!`, if there is
# more to say. `ids`: who asks now; `before`: who stood back until now; `made`: the folder of the fragments that say whose each is.
function stack(id,   line, part) {
  if ((getline line <(made id)) > 0) split(line, part, " ")
  close(made id)
  return part[2]
}
BEGIN {
  while ((getline line <ids) > 0) asks[line] = 1
  while ((getline line <before) > 0) { split(line, part, " "); back[part[1]] = 1 }
}
function yields(id, to) {
  if (stack(id) == "" || stack(id) != stack(to)) { print "!" id " is " (stack(id) == "" ? "of a stack that is not known" : "stack " stack(id) "\047s"); exit 1 }
  if (!told[id]++) print id, to
}
($1 in asks) && ($2 in asks) { exit 1 }
$2 in asks { yields($1, $2); next }
$1 in asks { yields($2, $1); next }
$1 in back { yields($1, $2); next }
$2 in back { yields($2, $1); next }
{ exit 1 }
