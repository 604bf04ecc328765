module windlass.io/sandbox/supervise

go 1.25.0
