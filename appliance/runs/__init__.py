"""What poller, trap receiver and commands share: many printers are asked, and what they say is kept."""
