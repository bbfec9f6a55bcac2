"""Small public files -> columns: one assembler per fetchable table, and readers of what several of them share."""
