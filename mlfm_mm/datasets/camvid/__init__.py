"""CamVid, street scenes with a label for each pixel."""
