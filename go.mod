module mailhaul.org/mailhaul

go 1.26
