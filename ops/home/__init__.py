"""First page of the admin: rows that wait for staff, a company's day, all companies, and the tables."""
