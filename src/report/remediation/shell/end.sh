
say "role $role in account $account"
steps
room
if [ "$trouble" = yes ] && [ "$force" = no ]; then
  stop "the account is not as it was when it was analysed, so nothing was changed; analyse it again (or see --force)"
fi
if [ "$calls" -eq 0 ]; then
  say "nothing is left to be done"
elif [ "$apply" = no ]; then
  say "dry run, nothing was changed; \`sh $script --apply\` makes these calls: $calls"
else
  pass=change calls=0
  steps
  pass=finished
  say "done, calls made: $calls"
  say "$way_on"
fi
