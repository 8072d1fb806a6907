"""Train a network on rows: batches, the skorch net, epochs, stopping, devices, threads."""
