# Those of no service first: see contract.ts.
SLOTS="@COMMON_SLOTS@"
BACKWARDS=
for service in $SERVICES; do
  eval "SLOTS=\"\$SLOTS \$${service}_slots\""
  BACKWARDS="$service $BACKWARDS"
done
