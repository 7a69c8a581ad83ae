set -eu
unset CDPATH
cd -- "$(dirname -- "$0")"
export AWS_PAGER='' AWS_CLI_AUTO_PROMPT=off

# A line for people, without signs that a terminal would obey.
plain() { LC_ALL=C tr -c '[:print:]\n' '?'; }
say() { printf '%s\n' "$*" | plain; }
stop() {
  printf '%s\n' "stopped: $*" | plain >&2
  exit 1
}

# However it ends before the last call is made, a role that may be half changed is not left without a word.
leave() {
  rm -rf -- "$work"
  [ "$pass" = change ] || return 0
  if [ "$calls" -eq 0 ]; then
    say "nothing was changed"
    return 0
  fi
  say "NOT FINISHED: calls that were made: $made"
  if [ "$calls" -gt "$made" ]; then say "one more was begun, and may or may not have been made"; fi
  say "to finish, run it again as you did: what is done already is left alone"
  say "$way_on"
}

apply=no force=no pass=look calls=0 made=0 trouble=no held=0 start=0 most=0
for argument in "$@"; do
  case $argument in
    --apply) apply=yes ;;
    --force) force=yes ;;
    *)
      say "usage: sh $script [--apply] [--force]"
      say "  without --apply nothing is changed: it shows what would be"
      say "  --force goes on although something is not as it was when it was analysed"
      [ "$argument" = --help ] || exit 2
      exit 0
      ;;
  esac
done
for program in aws awk diff; do
  command -v "$program" > /dev/null || stop "this script needs $program"
done
work=$(mktemp -d)
# A terminal that is gone takes no message; that is no other end than the one there was.
trap 'leave >&2 || :' EXIT
trap 'say "interrupted" >&2 || :; exit 130' HUP INT TERM

caller=$(aws sts get-caller-identity --query Account --output text) || stop "AWS does not say whose credentials these are"
[ "$caller" = "$account" ] || stop "these are credentials of account $caller, not of $account; nothing was changed"
found=$(aws iam get-role --role-name="$role" --query Role.RoleId --output text) || stop "role $role cannot be read"
[ -z "$role_id" ] || [ "$found" = "$role_id" ] ||
  stop "role $role was made anew since it was analysed: its id is $found, not $role_id; nothing was changed"

# Something is not as it was when it was analysed.
changed() {
  say "CHANGED since the analysis: $*"
  trouble=yes
  if [ "$pass" = change ] && [ "$force" = no ]; then stop "it changed while this script ran"; fi
}

# A call that changes something: shown first, and made in the second pass.
change() {
  calls=$((calls + 1))
  if [ "$pass" = look ]; then
    say "  call: $*"
  else
    "$@" > "$work/said" || stop "this call failed: $*"
    made=$((made + 1))
  fi
}

# A call whose answer may be that there is no such thing: it then says nothing.
ask() {
  if "$@" 2> "$work/error"; then return 0; fi
  if grep -q NoSuchEntity "$work/error"; then return 0; fi
  cat "$work/error" >&2
  return 1
}

# JSON in one layout: equal documents give equal text, whatever their white space is.
laid_out() {
  LC_ALL=C awk '
    function next_line(  i) { printf "\n"; for (i = 0; i < depth; i++) printf "  " }
    {
      for (at = 1; at <= length($0); at++) {
        c = substr($0, at, 1)
        if (quoted) {
          printf "%s", c
          if (escaped) escaped = 0
          else if (c == "\\") escaped = 1
          else if (c == "\"") quoted = 0
          continue
        }
        if (c == " " || c == "\t" || c == "\r") continue
        some = 1
        if (c == "}" || c == "]") {
          depth--
          if (!fresh) next_line()
        } else if (fresh) next_line()
        fresh = 0
        printf "%s", c
        if (c == "\"") quoted = 1
        else if (c == "{" || c == "[") { depth++; fresh = 1 }
        else if (c == ",") next_line()
        else if (c == ":") printf " "
      }
    }
    END { if (some) printf "\n" }
  '
}

# File, name: a document of this folder in that layout; no file is an empty document.
lay() {
  if [ -n "$1" ]; then laid_out < "$1" > "$work/$2"; else : > "$work/$2"; fi
}

# The live document of a managed policy, and how many have it, as a policy or as a boundary.
read_default() {
  answer=$(aws iam get-policy --policy-arn="$1" --output text \
    --query 'Policy.[DefaultVersionId, AttachmentCount, PermissionsBoundaryUsageCount]') || stop "policy $1 cannot be read"
  read -r default attachments boundaries << END
$answer
END
  case $boundaries in *[!0-9]* | '') ;; *) attachments=$((attachments + boundaries)) ;; esac
  aws iam get-policy-version --policy-arn="$1" --version-id="$default" \
    --query PolicyVersion.Document --output json > "$work/answer" || stop "policy $1 cannot be read"
  laid_out < "$work/answer" > "$work/live"
}

differences() { diff -u "$work/$1" "$work/$2" | sed 1,2d | plain || :; }

# What, file before, file after: sets state to `after`, `before` or `other`, by the live document.
judge() {
  lay "$2" before
  lay "$3" after
  if cmp -s "$work/live" "$work/after"; then
    state=after
    if [ "$pass" = look ]; then say "$1: is as it is to be"; fi
    return 0
  fi
  if cmp -s "$work/live" "$work/before"; then
    state=before
  else
    state=other
    changed "$1"
    if [ "$pass" = look ]; then differences before live; fi
  fi
  if [ "$pass" = look ]; then
    say "$1: now and then"
    differences live after
  fi
}

# File: keeps a live document that was not analysed before it is overwritten; rollback.sh puts back what apply.sh kept.
keep() {
  [ "$pass" = change ] || return 0
  kept=$keeping/${1##*/}
  if [ -e "$kept" ]; then
    # The call after an earlier copy was not made.
    if cmp -s "$work/live" "$kept"; then return 0; fi
    stop "$kept holds an earlier document: move it away first (rollback.sh puts back what lies in before/)"
  fi
  if ! { mkdir -p -- "$keeping" && cp -- "$work/live" "$kept"; }; then
    stop "what would be overwritten cannot be kept as $kept"
  fi
}

# Inline policy, file before, file after; no file is no policy.
inline() {
  ask aws iam get-role-policy --role-name="$role" --policy-name="$1" \
    --query PolicyDocument --output json > "$work/answer" || stop "inline policy $1 cannot be read"
  laid_out < "$work/answer" > "$work/live"
  judge "inline policy $1" "$2" "$3"
  if [ "$state" = after ]; then return 0; fi
  if [ "$state" = other ]; then keep "${2:-$3}"; fi
  if [ -s "$work/after" ]; then
    change aws iam put-role-policy --role-name="$role" --policy-name="$1" --policy-document="file://$3"
  else
    change aws iam delete-role-policy --role-name="$role" --policy-name="$1"
  fi
}

# Managed policy, file before, file after: another default version, one of those that are there if it can be.
version() {
  read_default "$1"
  judge "managed policy $1" "$2" "$3"
  if [ "$state" = after ]; then return 0; fi
  # Its only user may be another one by now.
  attached "$1" || stop "role $role no longer has policy $1: to change it would change the rights of others or of nobody"
  if [ "$attachments" -gt 1 ]; then shared "$1"; fi
  versions=$(aws iam list-policy-versions --policy-arn="$1" --query 'Versions[].VersionId' --output text) ||
    stop "the versions of policy $1 cannot be read"
  there='' oldest='' number=0
  for id in $versions; do
    number=$((number + 1))
    if [ "$id" = "$default" ]; then continue; fi
    aws iam get-policy-version --policy-arn="$1" --version-id="$id" \
      --query PolicyVersion.Document --output json > "$work/answer" || stop "version $id of policy $1 cannot be read"
    laid_out < "$work/answer" > "$work/version"
    if cmp -s "$work/version" "$work/after"; then there=$id; fi
    if [ -z "$oldest" ] || [ "${id#v}" -lt "${oldest#v}" ]; then oldest=$id; fi
  done
  if [ "$state" = other ]; then keep "$2"; fi
  if [ -n "$there" ]; then
    change aws iam set-default-policy-version --policy-arn="$1" --version-id="$there"
  elif [ "$number" -ge 5 ]; then
    say "policy $1 has $number versions, as many as IAM keeps, and this script deletes none. Delete one that nobody needs:"
    say "  aws iam delete-policy-version --policy-arn=$1 --version-id=$oldest"
    stop "there is no room for a version; run this again afterwards"
  else
    change aws iam create-policy-version --policy-arn="$1" --policy-document="file://$3" --set-as-default
  fi
}

# Whether the role has the managed policy, before this pass changes anything.
attached() {
  if [ ! -e "$work/attached.$pass" ]; then
    aws iam list-attached-role-policies --role-name="$role" --query 'AttachedPolicies[].PolicyArn' --output text \
      > "$work/answer" || stop "the policies of $role cannot be listed"
    tr '\t' '\n' < "$work/answer" > "$work/attached.$pass"
    held=$(awk 'NF { n++ } END { print n + 0 }' "$work/attached.$pass")
    start=$held most=$held
  fi
  grep -Fxq -- "$1" "$work/attached.$pass"
}

# One managed policy more, or fewer, on the role: the most that it has at a time count against its quota.
hold() {
  held=$((held + $1))
  if [ "$held" -gt "$most" ]; then most=$held; fi
}

# What IAM may refuse half-way is said before anything is changed.
room() {
  # IAM's default quota; whether it was raised cannot be read with the rights that this script needs.
  if [ "$most" -gt "$start" ] && [ "$most" -gt 10 ]; then
    say "WARNING: role $role has $start managed policies, and $most at a time while this is done; IAM allows a role 10,"
    say "  unless the quota \"Managed policies per role\" of IAM was raised (Service Quotas). If it was not, a call will fail"
    say "  half-way: have it raised first, or detach a policy that the role does not need"
  fi
}

# Managed policy, file: the role should have it, with this document, or what takes its place already.
holds() {
  had=no
  if attached "$1"; then
    had=yes
    read_default "$1"
    lay "$2" before
    if ! cmp -s "$work/live" "$work/before"; then
      changed "managed policy $1"
      if [ "$pass" = look ]; then differences before live; fi
    fi
  fi
}
