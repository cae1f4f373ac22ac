returning wants.id
