"""V-World (국토교통부): features of the Data API, tile by tile into one dated file of the inbox."""
