// Package metrics counts what deployments serve and what the gate refuses, and
// shows it as Prometheus text or sends it by OTLP. Its labels name resources, operations and
// codes; never what a client may make up, such as a path.
package metrics
