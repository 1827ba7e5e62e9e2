# Of sysctl_lines: `ID TEXT` for each value below `sysctl` that is another one, but of those that `fixed` names.
{
  value = $5; for (i = 6; i <= NF; i++) value = value " " $i
  now = "not there"
  if ((getline now <(sysctl "/" $3)) > 0) gsub(/[ \t]+/, " ", now)
  close(sysctl "/" $3)
  if ($4 == "=" && now != value) print $1, $2 " = " now " instead of " value
  if ($4 == ">=" && now + 0 < value + 0 && index(fixed, " " $3 " ") == 0) print $1, $2 " = " now ", less than " value
}
