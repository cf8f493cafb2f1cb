"""What an article is, what a query means, and how it is answered."""
