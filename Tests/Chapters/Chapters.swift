// The tests of this target are the chapters docs/NN-title.md, by way of the Literate plugin; see docs/README.md.
