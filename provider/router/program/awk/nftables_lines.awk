# A listing of nft: lines OBJECT, rank, RULE, with tabs between.
function put(rank, text) { printf "%s\t%06d\t%s\n", object, rank, text }
# Between two objects: the last one has none behind it until another hand adds one.
!NF { next }
/^table / { object = "table"; next }
# Of a table that is somebody's: while it is there, it is.
/^\tflags owner$/ { next }
/^\t[^\t}]/ && /\{$/ { object = $1 " " $2; dynamic = 0; put(0, ""); next }
/^\t?\}$/ { next }
/^\t\tflags .*(dynamic|timeout)/ { dynamic = 1 }
/^\t\telements = \{/ { inside = 1; text = ""; sub(/^\t\telements = \{/, "") }
inside {
  text = text " " $0
  if ($0 !~ /\}$/) next
  inside = 0; sub(/\}$/, "", text)
  n = split(text, elements, ",")
  for (i = 1; i <= n && !dynamic; i++) { gsub(/^[ \t]+|[ \t]+$/, "", elements[i]); put(0, "element " elements[i]) }
  next
}
{ sub(/^\t+/, ""); put(NR, $0) }
