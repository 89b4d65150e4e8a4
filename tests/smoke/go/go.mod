module spillway/smoke

go 1.19
