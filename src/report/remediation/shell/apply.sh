
# Where rollback.sh looks for what was there.
keeping=before

# Managed policy: others have it too by now, and would be changed with it.
shared() { stop "policy $1 has $attachments users by now and is not edited in place; analyse the account again"; }

# Policy for this role alone, its name, its file: made and attached. The role gets nothing that it does not have.
grant() {
  ask aws iam get-policy --policy-arn="$1" --query Policy.DefaultVersionId --output text > "$work/default" ||
    stop "policy $1 cannot be read"
  if [ -s "$work/default" ]; then
    read_default "$1"
    lay "$3" after
    cmp -s "$work/live" "$work/after" || stop "policy $1 is there already and says something else; rename or delete it"
  else
    if [ "$pass" = look ]; then say "policy $2: new, for this role alone ($3)"; fi
    change aws iam create-policy --policy-name="$2" --policy-document="file://$3"
  fi
  if attached "$1"; then return 0; fi
  if [ "$had" = no ]; then changed "role $role has neither policy $1 nor the one whose place it takes"; fi
  change aws iam attach-role-policy --role-name="$role" --policy-arn="$1"
  hold 1
}

# Managed policy: the role has it no longer.
detach() {
  if attached "$1"; then
    change aws iam detach-role-policy --role-name="$role" --policy-arn="$1"
    hold -1
  elif [ "$pass" = look ]; then
    say "managed policy $1: is not attached"
  fi
}
