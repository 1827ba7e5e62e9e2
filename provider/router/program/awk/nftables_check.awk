# The assembled file: two stacks' lists on one tier. Prints who, and why.
/^# vpc6 / { id = $3; stack = "" }
index($0, "@STACK_MARK@") == 1 { stack = $NF }
$1 == "chain" && index($2, "@TO_TIER@") == 1 {
  tier = substr($2, length("@TO_TIER@") + 1)
  if (stack != "" && (tier in of) && of[tier] != stack) {
    print id
    print "two access lists for interface " tier ": " by[tier] " of stack " of[tier] " and " id " of stack " stack
    exit
  }
  if (stack != "") { by[tier] = id; of[tier] = stack }
}
