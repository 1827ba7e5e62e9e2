# `packages`, `secrets` and `owner` are everybody's; `adopt` is the Router's.
SLOTS="@COMMON_SLOTS@"
BACKWARDS=
for service in $SERVICES; do
  eval "SLOTS=\"\$SLOTS \$${service}_slots\""
  BACKWARDS="$service $BACKWARDS"
done
