# The assembled file, then a listing of nft: prints the tables of the former that the latter has not, and chains that have no rule left.
FNR == 1 { listing = (NR > 1) }
{ line = $0; sub(/^[ \t]+/, "", line) }
line ~ /^add rule / { has[listing, $3 " " $4, $5] = 1; next }
line ~ /^table .*\{$/ { table = $2 " " $3; if (!listing && !(table in tables)) { tables[table] = ++n; named[n] = table } if (listing) there[table] = 1; next }
line ~ /^chain [^ ]+ \{/ { chain = $2; sub(/^chain [^ ]+ \{/, "", line) }
chain == "" { next }
{
  over = sub(/\}[ \t]*$/, "", line) && (line !~ /\{/ || line ~ /\}[^{]*$/)
  gsub(/type [^;]* hook [^;]*;|policy [a-z]+;|^#.*/, "", line)
  if (line ~ /[^ \t;]/) has[listing, table, chain] = 1
  if (over) chain = ""
}
END {
  for (i = 1; i <= n; i++) if (!(named[i] in there)) print "table " named[i]
  for (key in has) {
    split(key, part, SUBSEP)
    if (part[1] == 0 && (part[2] in there) && !((1, part[2], part[3]) in has)) print "chain " part[3]
  }
}
