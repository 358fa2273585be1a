"""What leaves the site: printers become XML, an encrypted parcel, a delivery."""
