"""What we learned: statistics, figures, one module per report, the page."""
