"""Set up a Plug from the provisioning file on its boot partition."""
