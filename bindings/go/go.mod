module spillway

go 1.23
