join identities on identities.key = input.key
