"""Where scoring keeps what must outlive its database."""
