"""The files of an invoice: the PDF for people, the annex for spreadsheets."""
