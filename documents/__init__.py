"""Documents: reading, checking, comparing and rendering budget texts. Nothing here touches the database."""
