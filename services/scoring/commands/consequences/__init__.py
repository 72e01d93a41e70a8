"""The only writers of consequences: tools, rewards, penalties, accountability proposals, funds."""
