# The assembled file: two stacks' lists on one tier. Prints who, and why. `made`: the folder of the fragments that say whose each is.
function stack(id,   line, part) {
  if ((getline line <(made id)) > 0) split(line, part, " ")
  close(made id)
  return part[2]
}
/^# vpc6 / { id = $3 }
$1 == "chain" && index($2, "@TO_TIER@") == 1 {
  tier = substr($2, length("@TO_TIER@") + 1)
  if (tier in by && stack(id) != stack(by[tier])) {
    print id
    print "two access lists for interface " tier ": " by[tier] " of stack " stack(by[tier]) " and " id " of stack " stack(id)
    exit
  }
  by[tier] = id
}
