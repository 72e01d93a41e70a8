"""Published contracts: topics, generated schemas, examples, AsyncAPI and OpenAPI snapshots."""
