module examples

go 1.23

require spillway v0.0.0

replace spillway => ../../bindings/go
