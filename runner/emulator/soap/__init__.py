"""SOAP below /services/Soap/u/NN.0: the login of older clients, and the partner calls that they make."""
