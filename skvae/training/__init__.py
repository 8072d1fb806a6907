"""From rows to a trained network: batches, the skorch net, epochs, stopping, devices, threads."""
