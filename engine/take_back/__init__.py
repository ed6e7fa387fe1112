"""What Qlik gives back by itself: the license rules of a site, asked about its users."""
