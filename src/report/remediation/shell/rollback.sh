
# Not where `earlier` looks: what is overwritten on the way back is not what was there before apply.sh.
keeping=before/overwritten

# Managed policy: others have it too by now, and are changed with it.
shared() { changed "policy $1 has $attachments users by now"; }

# File: the document that was there before, as apply.sh kept it or as it was analysed.
earlier() {
  if [ -e "before/$1" ]; then say "before/$1"; else say "$1"; fi
}

# Files that apply.sh kept have served.
forget() {
  if [ "$pass" = change ] && [ -d before ]; then mv -- before "put-back-$(date -u +%Y%m%dT%H%M%SZ)"; fi
}

# Managed policy, its file: the role has it again, with the document that it had then.
attach() {
  if attached "$1"; then
    if [ "$pass" = look ]; then say "managed policy $1: is attached"; fi
    return 0
  fi
  if [ "$had" = no ]; then changed "role $role has neither policy $1 nor what took its place"; fi
  # Others may have widened it since the role had it.
  read_default "$1"
  lay "$2" before
  if ! cmp -s "$work/live" "$work/before"; then
    changed "managed policy $1, which the role is to have again"
    if [ "$pass" = look ]; then differences before live; fi
  fi
  change aws iam attach-role-policy --role-name="$role" --policy-arn="$1"
  hold 1
}

# Policy that apply.sh made, its file: taken from the role and deleted, unless it has another use by now.
withdraw() {
  ask aws iam list-policy-versions --policy-arn="$1" --query 'length(Versions)' --output text > "$work/number" ||
    stop "policy $1 cannot be read"
  if [ ! -s "$work/number" ]; then
    if [ "$pass" = look ]; then say "policy $1: is not there"; fi
    return 0
  fi
  read_default "$1"
  lay "$2" after
  if attached "$1"; then
    attachments=$((attachments - 1))
    change aws iam detach-role-policy --role-name="$role" --policy-arn="$1"
    hold -1
  fi
  if [ "$attachments" -eq 0 ] && [ "$(cat "$work/number")" -eq 1 ] && cmp -s "$work/live" "$work/after"; then
    change aws iam delete-policy --policy-arn="$1"
  elif [ "$pass" = look ]; then
    say "policy $1: stays, because it was changed or others have it"
  fi
}
